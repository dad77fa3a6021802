/** The groups that read the soak's topic. */
export const GROUPS = ['passing', 'dropping', 'dividing', 'windows', 'one', 'other', 'retries'] as const;

/** Their names on the cluster. */
export type GroupIds = Readonly<Record<(typeof GROUPS)[number], string>>;
