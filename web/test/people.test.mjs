// Who is here, and who is typing, as two and more people see it.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as kit from './harness.mjs';
import * as sdk from './protocol/sdk.mjs';

const limit = { timeout: 120_000 };
const phrase = 'a message';

let binary, browser;
before(async (t) => {
  binary = await kit.goBuild('.', './cmd/surewire');
  browser = await kit.startBrowser(t);
});

/** Opens the page as a person of this name, and notes what it says of who is typing: that may be over before one looks. */
async function enter(t, url, name) {
  const page = await kit.openTab(t, browser, url);
  await kit.ready(page);
  await page.evaluate(() => {
    const line = document.querySelector('#typing');
    window.said = [line.textContent];
    window.ever = new Set();
    new MutationObserver(() => window.said.push(line.textContent) && window.ever.add(line.textContent)).observe(line, { childList: true, characterData: true, subtree: true });
  });
  await rename(page, name);
  return page;
}

async function rename(page, name) {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Name').press('Tab');
}

function write(page, text) {
  return page.getByLabel('Message', { exact: true }).fill(text);
}

/** Waits until the page says this of who is typing, now or since it said what was last waited for. */
function typing(page, text) {
  return kit.until(page, (want) => {
    const at = window.said.indexOf(want);
    if (at > 0) window.said.splice(0, at);
    return at >= 0;
  }, text);
}

test('two people chat, see each other come and go, and see each other type', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const ada = await enter(t, server.url, 'Ada');
  await kit.lists(ada, 'Ada');
  const bob = await enter(t, server.url, 'Bob');
  await Promise.all([kit.lists(ada, 'Ada', 'Bob'), kit.lists(bob, 'Bob', 'Ada')]);
  assert.equal(await bob.locator('#here').textContent(), '2 here');
  assert.equal(await bob.locator('.person.me').textContent(), 'Bobyou');

  await write(ada, phrase);
  await typing(bob, 'Ada is typing');
  await kit.say(ada, phrase);
  await kit.shows(bob, phrase);
  await typing(bob, '');
  await kit.say(bob, 'an answer');
  await kit.shows(ada, 'an answer');
  assert.equal(await ada.locator('#typing').textContent(), '', 'one’s own typing is not told');

  await rename(ada, 'Ada L.');
  await kit.lists(bob, 'Bob', 'Ada L.');
  await ada.close();
  await kit.lists(bob, 'Bob');
  assert.deepEqual(bob.faults, []);
});

test('typing is told now and then, and is over when nothing is left or nothing comes', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const [ada, bob] = [await enter(t, server.url, 'Ada'), await enter(t, server.url, 'Bob')];
  await kit.lists(bob, 'Bob', 'Ada');
  const signs = () => bob.frames.join('\n').split('\n').filter((line) => line.includes('"typing":true')).length;
  await ada.evaluate(() => {
    const text = document.querySelector('#text');
    for (let i = 0; i < 100; i++) {
      text.value += 'x';
      text.dispatchEvent(new Event('input', { bubbles: true }));
    }
  });
  await typing(bob, 'Ada is typing');
  await typing(bob, ''); // nothing comes any more
  assert.equal(signs(), 1, 'a hundred letters at once are one sign');
  await write(ada, 'xx');
  await typing(bob, 'Ada is typing');
  await write(ada, '');
  await typing(bob, '');
  assert.equal(signs(), 2);
  const carl = await sdk.subscribe(await sdk.connect(t, server), 'typing:lobby');
  const untiring = setInterval(() => carl.publish({ name: 'Carl', typing: true }).catch(() => {}), 300);
  t.after(() => clearInterval(untiring));
  await typing(bob, 'Carl is typing');
  await write(ada, phrase);
  await typing(bob, 'Carl and Ada are typing');
  clearInterval(untiring);
  carl.unsubscribe(); // in the middle of a word
  await kit.lists(bob, 'Bob', 'Ada');
  await typing(bob, '');
  const ever = await bob.evaluate(() => [...window.ever]);
  assert.ok(!ever.some((text) => text.includes('somebody')), `who has left is not typing: ${ever}`);
  assert.deepEqual([...ada.faults, ...bob.faults], []);
});

test('after a reload in mid-stream, a person is one again, under the same name, with all messages', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const [ada, bob] = [await enter(t, server.url, 'Ada'), await enter(t, server.url, 'Bob')];
  let n = 0;
  let reloaded = false;
  const reload = ada.reload().then(() => kit.lists(ada, 'Ada', 'Bob')).then(() => (reloaded = true));
  while (!reloaded || n < 20) await server.publish('chat:lobby', { name: 'bot', text: `m${++n}` });
  await reload;
  await server.publish('chat:lobby', { name: 'bot', text: `m${++n}` });
  await Promise.all([kit.shows(ada, `m${n}`), kit.lists(bob, 'Bob', 'Ada')]);
  for (const page of [ada, bob]) {
    assert.deepEqual((await kit.chat(page)).map((m) => m.text), sdk.numbers(1, n).map((i) => `m${i}`));
    assert.deepEqual(page.faults, []);
  }
});

test('a dropped connection leaves the room and comes back to it', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const proxy = await kit.startProxy(t, server.port);
  const [ada, bob] = [await enter(t, proxy.url, 'Ada'), await enter(t, server.url, 'Bob')];
  await kit.lists(bob, 'Bob', 'Ada');
  await write(bob, phrase);
  await typing(ada, 'Bob is typing');
  proxy.cut();
  await kit.until(ada, () => document.querySelector('#people').dataset.stale === 'true');
  await typing(ada, '');
  await kit.lists(bob, 'Bob');
  proxy.heal();
  await Promise.all([kit.lists(ada, 'Ada', 'Bob'), kit.lists(bob, 'Bob', 'Ada')]);
  await write(ada, phrase);
  await typing(bob, 'Ada is typing');
  assert.deepEqual([...kit.ownFaults(ada), ...bob.faults], []);
});

test('when the server is restarted, both are told, find each other, and go on', limit, async (t) => {
  const first = await kit.startServer(t, binary);
  const proxy = await kit.startProxy(t, first.port);
  const [ada, bob] = [await enter(t, proxy.url, 'Ada'), await enter(t, proxy.url, 'Bob')];
  await kit.lists(ada, 'Ada', 'Bob');
  await kit.say(ada, 'before');
  await kit.shows(bob, 'before');
  await first.stop();
  const second = await kit.startServer(t, binary);
  proxy.target = second.port;
  await Promise.all([kit.lists(ada, 'Ada', 'Bob'), kit.lists(bob, 'Bob', 'Ada')]);
  await Promise.all([ada, bob].map((page) => kit.until(page, () => document.querySelector('[data-notice="anew"]'))));
  await kit.say(bob, 'after');
  await kit.shows(ada, 'after');
  for (const page of [ada, bob]) {
    const seen = await kit.chat(page);
    assert.deepEqual(seen.map((m) => m.notice ?? m.text), ['before', 'anew', 'after']);
    assert.deepEqual(kit.ownFaults(page), []);
  }
});

test('what others send is text, or nothing', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const ada = await enter(t, server.url, 'Ada');
  const guest = await sdk.connect(t, server);
  const s = await sdk.subscribe(guest, 'typing:lobby');
  await kit.lists(ada, 'Ada', 'somebody');
  await server.publish('typing:lobby', { name: 'a backend', typing: true });
  for (const data of [null, 'text', [], { name: 1, typing: true }, { typing: true }]) await s.publish(data);
  const name = '<img src=x onerror=alert(1)>';
  await s.publish({ name, typing: true });
  await kit.lists(ada, 'Ada', name);
  await typing(ada, `${name} is typing`);
  await s.publish({ name: 'x'.repeat(1000) });
  await kit.lists(ada, 'Ada', 'x'.repeat(40));
  assert.equal(await ada.locator('#people img').count(), 0);
  assert.deepEqual(ada.faults, []);
});

test('a crowd is counted, and not all of it listed', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const ada = await enter(t, server.url, 'Ada');
  const crowd = await Promise.all(sdk.numbers(1, 14).map(async (n) => {
    const s = await sdk.subscribe(await sdk.connect(t, server), 'typing:lobby');
    await s.publish({ name: `Guest ${String(n).padStart(2, '0')}`, typing: true });
    return s;
  }));
  await typing(ada, '14 people are typing');
  assert.equal(await ada.locator('#here').textContent(), '15 here');
  assert.equal(await ada.locator('#people .more').textContent(), 'and 3 others');
  for (const s of crowd.slice(3)) s.unsubscribe();
  await kit.lists(ada, 'Ada', 'Guest 01', 'Guest 02', 'Guest 03');
  assert.deepEqual(ada.faults, []);
});
