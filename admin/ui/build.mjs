// Builds what the pages load into dist/: app.js, app.css, icons.svg, favicon.svg, each beside itself as .br and .gz.
//
// Everything in dist/ goes into the program as it is; the program names it by its hash (src/assets.rs).
import { build } from "esbuild";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = new URL(".", import.meta.url).pathname;
const dist = `${here}dist`;

/// One SVG with a symbol for each name in src/icons.txt, from the outline icons of Tabler.
async function sprite() {
    const lines = (await readFile(`${here}src/icons.txt`, "utf8")).split("\n").map((line) => line.trim());
    const names = [...new Set(lines.filter((line) => line && !line.startsWith("#")))];
    const symbols = await Promise.all(names.map(symbol));
    const notice = "<!-- Tabler Icons, MIT License, Copyright (c) Paweł Kuna -->";
    return `<svg xmlns="http://www.w3.org/2000/svg">${notice}${symbols.join("")}</svg>\n`;
}

async function symbol(name) {
    let source;
    try {
        source = await readFile(`${here}node_modules/@tabler/icons/icons/outline/${name}.svg`, "utf8");
    } catch {
        throw new Error(`src/icons.txt names "${name}", which is no outline icon of Tabler (https://tabler.io/icons)`);
    }
    const shapes = source.slice(source.indexOf(">", source.indexOf("<svg")) + 1, source.lastIndexOf("</svg>"));
    const drawn = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"';
    return `<symbol id="${name}" viewBox="0 0 24 24" ${drawn}>${shapes.replace(/\s*\n\s*/g, "")}</symbol>`;
}

async function write(name, content) {
    const bytes = Buffer.from(content);
    const hard = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
    const [br, gz] = [brotliCompressSync(bytes, hard), gzipSync(bytes, { level: 9 })];
    await writeFile(`${dist}/${name}`, bytes);
    await writeFile(`${dist}/${name}.br`, br);
    await writeFile(`${dist}/${name}.gz`, gz);
    console.log(`  ${name.padEnd(12)} ${kb(bytes)}, gzip ${kb(gz)}, brotli ${kb(br)}`);
}

const kb = (bytes) => `${(bytes.length / 1000).toFixed(1).padStart(6)} kB`;

const bundled = await build({
    absWorkingDir: here,
    entryPoints: ["src/app.js", "src/app.css"],
    outdir: dist,
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    // The styles use light-dark(), which browsers have since 2024; older ones get no older scripts either.
    target: ["es2022"],
    supported: { nesting: true },
    legalComments: "eof",
    logLevel: "warning",
});
await rm(dist, { recursive: true, force: true });
await mkdir(dist);
for (const file of bundled.outputFiles) await write(file.path.split("/").pop(), file.contents);
await write("icons.svg", await sprite());
await write("favicon.svg", await readFile(`${here}src/favicon.svg`));
