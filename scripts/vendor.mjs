// Copies what the browser needs out of node_modules into static/vendor/, the version in each file name,
// and writes VENDOR.md: name, version, licence and sha256 of every file. Run: npm ci && npm run vendor
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const FOLDER = "static/vendor";

/** Each part: its package, its files as [path in the package, path in static/vendor], or a module to bundle. */
const PARTS = [
  { name: "htmx.org", files: (v) => [["dist/htmx.esm.min.js", `htmx-${v}.min.mjs`]] },
  { name: "tinykeys", bundle: (v) => ["dist/tinykeys.mjs", `tinykeys-${v}.min.mjs`] },
  { name: "@github/markdown-toolbar-element", bundle: (v) => ["dist/index.js", `markdown-toolbar-element-${v}.min.mjs`] },
  { name: "katex", bundle: (v) => ["dist/katex.mjs", `katex-${v}.min.mjs`] },
  font("inter", ["latin-opsz-normal", "latin-ext-wght-normal"]),
  font("source-serif-4", ["latin-wght-normal", "latin-wght-italic", "latin-ext-wght-normal"]),
  font("jetbrains-mono", ["latin-wght-normal"]),
];

function font(family, cuts) {
  const files = (v) => cuts.map((cut) => [`files/${family}-${cut}.woff2`, `fonts/${family}-${v}-${cut}.woff2`]);
  return { name: `@fontsource-variable/${family}`, files };
}

async function packed(part) {
  const home = `node_modules/${part.name}`;
  const { version, license } = JSON.parse(await readFile(`${home}/package.json`, "utf8"));
  const plain = part.name.replace(/^@/, "").replace("/", "-");
  const files = (part.files?.(version) ?? []).map(([from, to]) => [`${home}/${from}`, to]);
  files.push([`${home}/LICENSE`, `licences/${plain}-${version}.txt`]);
  const written = await Promise.all(files.map(async ([from, to]) => [to, await readFile(from)]));
  if (part.bundle) written.unshift(await bundled(home, ...part.bundle(version)));
  return written.map(([to, content]) => ({ name: part.name, version, license, to, content }));
}

async function bundled(home, from, to) {
  const options = { bundle: true, format: "esm", minify: true, write: false, legalComments: "inline", target: "es2022" };
  const { outputFiles } = await build({ entryPoints: [`${home}/${from}`], ...options });
  return [to, Buffer.from(outputFiles[0].contents)];
}

function row({ name, version, license, to, content }) {
  const digest = createHash("sha256").update(content).digest("hex");
  return `| ${name} | ${version} | ${license} | ${to} | ${digest} |`;
}

const files = (await Promise.all(PARTS.map(packed))).flat();
await rm(FOLDER, { recursive: true, force: true });
for (const folder of ["fonts", "licences"]) await mkdir(`${FOLDER}/${folder}`, { recursive: true });
for (const { to, content } of files) await writeFile(`${FOLDER}/${to}`, content);
const head = [
  "# What is not ours in this folder",
  "",
  "Written by `npm run vendor` from the exact versions in package.json; change nothing by hand.",
  "Each package's licence text lies in `licences/`.",
  "",
  "| name | version | licence | file | sha256 |",
  "| --- | --- | --- | --- | --- |",
];
await writeFile(`${FOLDER}/VENDOR.md`, [...head, ...files.map(row), ""].join("\n"));
