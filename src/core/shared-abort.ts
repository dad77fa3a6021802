import { setMaxListeners } from 'node:events';

/** An AbortController whose signal many calls wait for at once, so that Node does not take them for a leak after the tenth. */
export function sharedAbort(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
