// Builds the page of `surewire serve --dev` from demo into ../demo/dist, which
// is committed and embedded by Go. The output depends on the sources and the
// lock file alone, so that CI can build again and compare.
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import * as esbuild from 'esbuild';

const here = fileURLToPath(new URL('.', import.meta.url));
const source = join(here, 'demo');
const target = join(here, '../demo/dist');

// Licences of what the bundle contains: both ask for their notice to travel along.
const bundled = ['centrifuge', 'events'];

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const { metafile } = await esbuild.build({
  absWorkingDir: here,
  entryPoints: { app: 'demo/main.ts', style: 'demo/style.css' },
  outdir: target,
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome111', 'firefox115', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
for (const name of ['index.html', 'icon.svg']) {
  await copyFile(join(source, name), join(target, name));
}
await writeFile(join(target, 'licenses.txt'), await licenses(metafile));

async function licenses({ inputs }) {
  const packages = new Set(Object.keys(inputs).map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean));
  for (const name of packages) {
    if (!bundled.includes(name)) throw new Error(`the bundle contains ${name}, whose licence is not listed`);
  }
  const texts = [];
  for (const name of bundled) {
    const manifest = JSON.parse(await readFile(join(here, 'node_modules', name, 'package.json'), 'utf8'));
    const text = await readFile(join(here, 'node_modules', name, 'LICENSE'), 'utf8');
    texts.push(`${name} ${manifest.version} (${manifest.license})\n\n${text.trim()}\n`);
  }
  return texts.join(`\n${'-'.repeat(72)}\n\n`);
}
