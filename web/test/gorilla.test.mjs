import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';
import * as kit from './harness.mjs';

const sdk = createRequire(import.meta.url).resolve('centrifuge').replace(/build\/index\.\w+$/, 'dist/centrifuge.js');
const limit = { timeout: 120_000 };

let binary, browser;
before(async (t) => {
  binary = await kit.goBuild('examples', './gorilla');
  browser = await kit.startBrowser(t);
});

const want = {
  id: 's-17', state: 'connected', since: '2026-01-02T03:04:05Z', labels: null, err: 'upstream closed the stream', load: null, peer: null, tabs: 2,
};

/** Returns how many values were repaired so far, by reason. */
async function repaired(server) {
  const text = await (await fetch(new URL('/metrics', server.url))).text();
  return Object.fromEntries([...text.matchAll(/^surewire_repaired_values_total\{reason="([^"]+)"\} (\d+)$/gm)].map(([, reason, n]) => [reason, Number(n)]));
}

/** Returns the lines of the log that tell of a repair. */
function logged(server) {
  return server.output().split('\n').filter((line) => line.includes('value repaired'));
}

/** Waits until the page of the example has shown both sides. */
function shown(page) {
  return kit.until(page, () => ['gorilla', 'surewire', 'report'].every((id) => document.getElementById(id).textContent !== 'waiting'));
}

test("a browser cannot parse what gorilla's WriteJSON sent; by Surewire it gets names, and what was repaired is reported, counted and logged", limit, async (t) => {
  const server = await kit.start(t, binary, []);
  const page = await kit.openTab(t, browser, server.url);
  await shown(page); // it has published once itself
  const [counted, lines] = [await repaired(server), logged(server).length];
  await page.addScriptTag({ path: sdk });
  const old = await page.evaluate(() => new Promise((resolve) => {
    new WebSocket(`ws://${location.host}/gorilla`).onmessage = ({ data }) => {
      try {
        resolve({ data, parsed: JSON.parse(data) });
      } catch (error) {
        resolve({ data, thrown: error.name });
      }
    };
  }));
  assert.deepEqual(old, { data: '', thrown: 'SyntaxError' });

  const { data, report } = await page.evaluate(() => new Promise((resolve, reject) => {
    const client = new Centrifuge(`ws://${location.host}/connection/websocket`);
    const subscription = client.newSubscription('sessions');
    let report;
    subscription.on('subscribed', () => (report = fetch('/publish', { method: 'POST' }).then((r) => r.json())));
    subscription.on('publication', async ({ data }) => resolve({ data, report: await report }));
    client.on('error', ({ error }) => reject(new Error(error.message)));
    subscription.subscribe();
    client.connect();
  }));
  assert.deepEqual(data, want);
  assert.equal(report.length, 2);
  assert.match(report[0], /"\/load" \(float64\): non-finite, wrote null/);
  assert.match(report[1], /"\/peer" \(\*main\.Session\): cycle, wrote null/);
  assert.deepEqual(await repaired(server), { 'non-finite': counted['non-finite'] + 1, cycle: counted.cycle + 1 });
  const log = logged(server).slice(lines);
  assert.equal(log.length, 1);
  assert.match(log[0], /WARN.*for=sessions repairs=2.*\/load.*non-finite.*\/peer.*cycle/);
  assert.match(server.output(), /gorilla: the message is lost.*unsupported value/);
  assert.deepEqual(page.faults, []);
});

test('the page of the example shows both', limit, async (t) => {
  const server = await kit.start(t, binary, []);
  const page = await kit.openTab(t, browser, server.url);
  await shown(page);
  assert.match(await page.locator('#gorilla').textContent(), /^a frame of 0 bytes: SyntaxError/);
  assert.deepEqual(JSON.parse(await page.locator('#surewire').textContent()), want);
  assert.equal(JSON.parse(await page.locator('#report').textContent()).length, 2);
  assert.deepEqual(page.faults, []);
});
