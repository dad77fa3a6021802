// What the clients need to run, got ready once per run. What cannot be had is absent, with the reason.
import path from 'node:path';
import { kafkaLib } from '../../test/helpers/kafka/jars.ts';
import { buildInto } from './build.ts';
import type { Client, Command } from './client.ts';
import { buildGo, buildJava, installPeers, type Peers } from './foreign.ts';

const JVM = ['-Xmx512m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];

/** Finds the command of a client, or says why there is none. */
export class Programs {
  private readonly folder = path.resolve('.cache', 'bench');
  private readonly against = path.resolve('.cache', 'bench-against');
  private readonly go = once(buildGo);
  private readonly java = once(() => {
    const lib = kafkaLib();
    if (lib === undefined) throw new Error('Java 17 or Maven is not installed');
    return { lib, classes: buildJava(lib) };
  });
  private readonly peers: () => Peers;

  /** Builds ours, as it is or at a commit, and, if it is named, the commit to compare it with. */
  constructor({ at, against }: { readonly at?: string | undefined; readonly against?: string | undefined }) {
    const clients = buildInto(this.folder, at);
    if (against !== undefined) buildInto(this.against, against);
    this.peers = once(() => installPeers(clients));
  }

  /** @throws Error saying why the client cannot run here. */
  commandOf({ program, name, as }: Client): Command {
    const file = path.join('clients', `${as ?? name}.js`);
    const ours = path.join(this.folder, file);
    switch (program) {
      case 'node':
        return { file: process.execPath, args: [ours] };
      case 'against':
        return { file: process.execPath, args: [path.join(this.against, file)] };
      case 'platformatic':
        return { file: this.peers().node24, args: [ours] };
      case 'rdkafka':
        if (!this.peers().hasRdkafka) throw new Error('node-rdkafka could not be built here');
        return { file: process.execPath, args: [ours] };
      case 'go':
        return { file: this.go(), args: [] };
      case 'java': {
        const { lib, classes } = this.java();
        return { file: 'java', args: [...JVM, '-cp', `${classes}:${path.join(lib, '*')}`, 'Main'] };
      }
    }
  }
}

/** Makes it at the first call; later calls answer, or fail, with the same. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | { readonly error: unknown } | undefined;
  return () => {
    if (made === undefined) {
      try {
        made = { value: make() };
      } catch (error) {
        made = { error };
      }
    }
    if ('error' in made) throw made.error;
    return made.value;
  };
}
