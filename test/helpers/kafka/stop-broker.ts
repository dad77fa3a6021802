// Jest's global tear-down: stops what choose-broker.ts started.
export default async function stopBroker(): Promise<void> {
  await (globalThis as { sluiceBroker?: () => Promise<void> }).sluiceBroker?.();
}
