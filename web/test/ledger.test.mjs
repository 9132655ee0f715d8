// The ledger of make cluster is worth what it can see: a good log, and each way to spoil it.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { suite, test } from 'node:test';
import { judge, Ledger } from './cluster/ledger.mjs';

/** What two publishers, by turns, were told: and so what a reader gets. */
function log() {
  return Array.from({ length: 8 }, (_, i) => ({ id: `${'ab'[i % 2]}-${Math.floor(i / 2) + 1}`, offset: i + 1 }));
}

/** Gives offsets out anew, in order: as if the server had taken what came for the truth. */
function closedUp(got) {
  return got.map(({ id }, i) => ({ id, offset: i + 1 }));
}

suite('the ledger of deliveries', () => {
  const finds = (name, want, spoil) => test(name, () => {
    const got = log();
    const faults = judge(log(), spoil(got) ?? got);
    assert.match(faults.join('\n'), want);
  });

  test('finds nothing in what is good', () => assert.deepEqual(judge(log(), log()), []));
  finds('lost at the end', /^b-4 was acknowledged and never comes$/, (got) => got.slice(0, 7));
  finds('lost at the beginning', /after offset 0 comes 2/, (got) => got.slice(1));
  finds('lost within', /after offset 3 comes 5/, (got) => got.toSpliced(3, 1));
  finds('lost, and the rest closed up', /b-2 was acknowledged and never comes/, (got) => closedUp(got.toSpliced(3, 1)));
  finds('all lost', /a-1 was acknowledged and never comes/, () => []);
  finds('doubled', /after offset 4 comes 4, with b-2\nb-2 comes twice/, (got) => got.toSpliced(4, 0, got[3]));
  finds('doubled by the server', /b-2 comes twice/, (got) => closedUp(got.toSpliced(4, 0, got[3])));
  finds('swapped', /after offset 3 comes 5/, (got) => got.toSpliced(3, 2, got[4], got[3]));
  finds('swapped by the server', /b-2 was acknowledged at 4 and comes at 5/, (got) => closedUp(got.toSpliced(3, 2, got[4], got[3])));
  finds('foreign at the end', /x-1 comes and was never acknowledged here/, (got) => [...got, { id: 'x-1', offset: 9 }]);
  finds('foreign in place of another', /x-1 comes .*[^]*b-2 was acknowledged and never comes/, (got) => got.with(3, { id: 'x-1', offset: 4 }));

  test('a publisher overtakes itself, and was told so', () => {
    const told = log();
    [told[0].id, told[2].id] = [told[2].id, told[0].id];
    assert.match(judge(told, told).join('\n'), /a-2 comes after a-0\na-1 comes after a-2/);
  });

  // What a subscription is told when it comes back.
  const returns = (name, want, told) => test(name, async (t) => {
    const subscription = Object.assign(new EventEmitter(), { subscribe() {
      this.emit('subscribed', { wasRecovering: false, recovered: false, streamPosition: { offset: 0, epoch: 'e' } });
    } });
    const ledger = new Ledger(t);
    await ledger.read('client', Object.assign(new EventEmitter(), { newSubscription: () => subscription }), 'run:1');
    subscription.emit('subscribing', {});
    subscription.emit('subscribed', { wasRecovering: true, recovered: true, streamPosition: { offset: 0, epoch: 'e' }, ...told });
    assert.match(ledger.faults().join('\n'), want);
    assert.equal(ledger.returns, 1);
  });
  returns('recovered', /^$/, {});
  returns('not recovered', /^client was told that it missed something of run:1/, { recovered: false });
  returns('began anew', /^client was told that it missed something of run:1/, { wasRecovering: false });
  returns('another epoch', /^the epoch of run:1 was e and is f$/, { streamPosition: { offset: 0, epoch: 'f' } });
});
