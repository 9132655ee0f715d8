// What the browser tests stand on: the real server, a real browser, and a proxy
// between them that can break.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { basename, join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Longest wait for anything; a machine of two busy cores needs much less. */
export const patience = 30_000;

/** Returns what stands for a test in the hooks of the suite that is being defined: it lasts as long. */
export function lasting() {
  const cleanups = [];
  after(async () => {
    for (const f of cleanups.reverse()) await f();
  });
  return { after: (f) => cleanups.push(f) };
}

/** Builds a Go command of this repository, where the next test finds it: linking takes longer than looking whether that is needed. */
export async function goBuild(folder, command) {
  const binary = join(root, '.work/test', basename(command));
  await promisify(execFile)('go', ['build', '-ldflags=-w', '-o', binary, command], { cwd: join(root, folder) });
  return binary;
}

/** Starts a program that prints the URL it serves, and returns it once it has. */
export async function start(t, binary, args) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const end = (signal) => async () => {
    child.kill(signal);
    await exited;
  };
  const kill = end('SIGKILL');
  t.after(kill);
  let output = '';
  const url = await new Promise((resolve, reject) => {
    const hear = (chunk) => {
      output += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(output);
      if (found) resolve(found[0]);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${binary} ended with ${code} before it printed a URL:\n${output}`)));
  });
  return {
    url,
    port: Number(new URL(url).port),
    kill,
    stop: end('SIGTERM'),
    /** What the program has written so far: its log too. */
    output: () => output,
    /** Publishes data through the HTTP API and returns its position. */
    async publish(channel, data) {
      const response = await fetch(new URL('/api/publish', url), { method: 'POST', body: JSON.stringify({ channel, data }) });
      const answer = await response.json();
      if (!response.ok || !answer.result) throw new Error(`publish: ${response.status} ${JSON.stringify(answer)}`);
      return answer.result;
    },
  };
}

/** Starts `surewire serve --dev` on a free port. */
export function startServer(t, binary) {
  return start(t, binary, ['serve', '--dev', '--address', '127.0.0.1:0']);
}

/** Starts a proxy to a port of this machine that can cut what goes through it. */
export async function startProxy(t, port) {
  const open = new Set();
  let broken = false;
  const proxy = {
    port: 0,
    target: port,
    /** Ends all connections without a word of the protocol, and new ones at once, until heal. */
    cut() {
      broken = true;
      // Not resetAndDestroy: a socket that is already ending may then keep Node
      // from ending, busy, after the last test.
      for (const socket of open) socket.destroy();
    },
    heal() {
      broken = false;
    },
    /** Lets nothing through any more, and leaves the connections open. */
    freeze() {
      for (const socket of open) socket.unpipe().pause();
    },
  };
  const join = (from, to) => {
    open.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      open.delete(from);
      to.destroy();
    });
    from.pipe(to);
  };
  const server = net.createServer((inside) => {
    if (broken) {
      inside.destroy();
      return;
    }
    const outside = net.connect(proxy.target, '127.0.0.1');
    join(inside, outside);
    join(outside, inside);
  });
  t.after(() => {
    proxy.cut();
    server.close();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.port = server.address().port;
  proxy.url = `http://127.0.0.1:${proxy.port}/`;
  return proxy;
}

/** Starts a headless Chromium: that of $CHROMIUM, or /usr/bin/chromium. */
export async function startBrowser(t) {
  const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';
  if (!existsSync(executablePath)) throw new Error(`no browser at ${executablePath}: install Chromium, or set CHROMIUM to its path`);
  const browser = await chromium.launch({
    executablePath,
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  });
  t.after(() => browser.close());
  return browser;
}

/** Opens url in a browser context of its own, which t closes. faults collects what a page must not do. */
export async function openTab(t, browser, url, options = {}) {
  const context = await browser.newContext(options);
  t.after(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const faults = [];
  const frames = []; // texts that arrived over WebSockets
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && faults.push(`console: ${m.text()}`));
  page.on('pageerror', (e) => faults.push(`error: ${e.message}`));
  page.on('websocket', (socket) => socket.on('framereceived', (f) => frames.push(String(f.payload))));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
  await page.goto(url);
  return Object.assign(page, { faults, frames });
}

/** Faults, without the lines that Chromium itself writes when a connection breaks. */
export function ownFaults(page) {
  return page.faults.filter((f) => !/WebSocket connection to .* failed|net::ERR_CONNECTION|net::ERR_EMPTY_RESPONSE/.test(f));
}

/** Waits until a function of the page, given arg, is true. */
export function until(page, condition, arg) {
  return page.waitForFunction(condition, arg, { polling: 30, timeout: patience });
}

/** Waits for a page to be connected and for its chat to have a position. */
export function ready(page) {
  return until(page, () => document.querySelector('#connection')?.dataset.state === 'connected'
    && /:\d+$/.test(document.querySelector('[data-channel="chat:lobby"] .position')?.textContent ?? '')
    && /:\d+$/.test(document.querySelector('[data-channel="hostile"] .position')?.textContent ?? ''));
}

/** Returns the chat as it stands: messages with offset and text, and notices. */
export function chat(page) {
  return page.evaluate(() => [...document.querySelectorAll('#messages > li')].map((li) =>
    li.dataset.notice ? { notice: li.dataset.notice, text: li.textContent } : { offset: Number(li.dataset.offset), text: li.querySelector('.text').textContent }));
}

/** Waits until the chat shows a message with this text. */
export function shows(page, text) {
  return until(page, (want) => [...document.querySelectorAll('#messages .text')].some((p) => p.textContent === want), text);
}

/** Waits until the page lists exactly these people, oneself first. */
export function lists(page, ...names) {
  return until(page, (want) => document.querySelector('#people').dataset.stale === 'false'
    && JSON.stringify([...document.querySelectorAll('#people .person-name')].map((e) => e.textContent)) === want, JSON.stringify(names));
}

/** Waits for a state of the connection. */
export function connection(page, state) {
  return until(page, (want) => document.querySelector('#connection').dataset.state === want, state);
}

/** Types a message into the chat and sends it. */
export async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByLabel('Message', { exact: true }).press('Enter');
}

/** Returns what last happened to a channel, as the header has it. */
export function last(page, channel) {
  return page.locator(`[data-channel="${channel}"] .last`).textContent();
}
