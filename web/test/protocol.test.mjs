// The client protocol, through the unmodified centrifuge package in Node. Much of
// this is waiting for something to expire: it is done side by side.
import { before, suite } from 'node:test';
import { goBuild } from './harness.mjs';
import { commands } from './protocol/commands.mjs';
import { reconnects } from './protocol/reconnect.mjs';
import { serverActs } from './protocol/server.mjs';
import { tokens } from './protocol/tokens.mjs';

suite('protocol', { concurrency: true, timeout: 180_000 }, () => {
  let binary;
  before(async () => {
    binary = await goBuild('examples', './features');
  });
  for (const part of [tokens, reconnects, serverActs, commands]) part(() => binary);
});
