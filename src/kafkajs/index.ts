// `sluice/kafkajs`: topologies over an existing kafkajs client, for a program that moves over.

export { kafkajs, KafkajsStreamClient, type KafkajsClient, type KafkajsOptions } from './client.ts';
