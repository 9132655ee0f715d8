// Takes pictures of the page for a person to look at:
//   npm run screenshots -- FOLDER
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as kit from './harness.mjs';

const folder = process.argv[2];
if (!folder) throw new Error('usage: npm run screenshots -- FOLDER');
await mkdir(folder, { recursive: true });

const cleanups = [];
const t = { after: (f) => cleanups.unshift(f) };
try {
  const server = await kit.startServer(t, await kit.goBuild('.', './cmd/surewire'));
  const browser = await kit.startBrowser(t);
  for (const [name, text] of [
    ['Ada', 'Morning. Does the import still hang?'], ['Grace', 'It finished: 1,250 rows. One sensor sent NaN and the whole batch used to disappear.'],
    ['Ada', 'And now?'], ['Grace', 'Now the row is there, with a null in it, and a line in the log that says where it came from: https://example.com/a/very/long/address/without/any/place/to/break/it'],
  ]) await server.publish('chat:lobby', { name, text });
  const grace = await kit.openTab(t, browser, server.url);
  await grace.getByLabel('Name').fill('Grace');
  await grace.getByLabel('Name').press('Tab');
  for (const colorScheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries({ desktop: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } })) {
      const page = await kit.openTab(t, browser, server.url, { colorScheme, viewport, deviceScaleFactor: 1 });
      await kit.ready(page);
      await kit.say(page, `Hello from a ${size} in the ${colorScheme}.`);
      await kit.shows(page, `Hello from a ${size} in the ${colorScheme}.`);
      await page.getByRole('button', { name: 'Drop my connection' }).click();
      await kit.until(page, () => document.querySelector('[data-channel="hostile"] .last').textContent !== '');
      for (const value of ['nan', 'everything']) {
        const card = page.locator(`[data-value="${value}"]`);
        await card.getByRole('button', { name: 'Publish' }).click();
        await card.and(page.locator('[data-arrived="true"][data-receipt="true"]')).waitFor();
      }
      const writing = grace.getByLabel('Message', { exact: true });
      await writing.fill('');
      await writing.fill('And now I am');
      await kit.until(page, () => document.querySelector('#typing').textContent !== '');
      await page.evaluate(() => {
        window.scrollTo(0, 0);
        document.querySelector('#values').scrollTop = 0;
      });
      await page.screenshot({ path: join(folder, `${size}-${colorScheme}.png`) });
      await page.locator('[data-value="everything"]').scrollIntoViewIfNeeded();
      await page.locator('[data-value="everything"]').screenshot({ path: join(folder, `${size}-${colorScheme}-everything.png`) });
      if (size === 'phone') await page.screenshot({ path: join(folder, `${size}-${colorScheme}-full.png`), fullPage: true });
    }
  }
} finally {
  for (const f of cleanups) await f();
}
