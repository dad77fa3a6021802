/** What a job came to; the sum is null where a tool does not tell, the latencies where they are not taken. */
record Done(Long sum, Latencies latencies) {
    static Done of(long sum) {
        return new Done(sum, null);
    }
}
