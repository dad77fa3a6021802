export { createBroker } from './broker/create-broker.ts';
