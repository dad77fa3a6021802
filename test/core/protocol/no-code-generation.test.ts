import { spawnSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

const program = `
  import { heartbeatApi } from './src/core/protocol/messages/12-heartbeat.ts';
  import { decodeResponse, encodeRequest, encodeResponse } from './src/core/protocol/frame.ts';
  import { Reader } from './src/core/protocol/reader.ts';
  let allowed = true;
  try {
    new Function('');
  } catch {
    allowed = false;
  }
  const body = { groupId: 'g', generationId: 7, memberId: 'm' };
  const response = encodeResponse(heartbeatApi, 4, 1, { errorCode: 27 });
  console.log(JSON.stringify({
    allowed,
    request: encodeRequest(heartbeatApi, 4, 1, 'c', body).toString('hex'),
    response: decodeResponse(heartbeatApi, 4, new Reader(response, 8)),
  }));
`;

function run(...flags: string[]): { allowed: boolean; request: string; response: unknown } {
  const args = [...flags, '--import', 'tsx', '--input-type=module', '--eval', program];
  const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as ReturnType<typeof run>;
}

describe('a process that forbids code generation', () => {
  it('speaks the same protocol through the interpreter', () => {
    const forbidden = run('--disallow-code-generation-from-strings');
    const allowed = run();
    expect([forbidden.allowed, allowed.allowed]).toEqual([false, true]);
    expect(forbidden.request).toBe(allowed.request);
    expect(forbidden.response).toEqual({ throttleTimeMs: 0, errorCode: 27 });
    expect(allowed.response).toEqual(forbidden.response);
  });
});
