// Builds what the pages load into dist/: app.js, app.css, icons.svg, favicon.svg, each beside itself as .br and .gz.
//
// Everything in dist/ goes into the program as it is; the program names it by its hash (src/assets.rs).
import { build } from "esbuild";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { faults, listed, sprite, symbol, used } from "./icons.mjs";

const here = new URL(".", import.meta.url).pathname;
const dist = `${here}dist`;

/// One SVG with the icons of src/icons.txt, which are those that the pages use, no more and no fewer.
async function icons() {
    const names = listed(await readFile(`${here}src/icons.txt`, "utf8"));
    const wrong = faults(names, used([...(await texts(`${here}../templates`, ".html")), ...(await texts(`${here}src`, ".js"))]));
    if (wrong.length > 0) throw new Error(`src/icons.txt: ${wrong.join("; ")}`);
    return sprite(await Promise.all(names.map(drawn)));
}

async function texts(folder, ending) {
    const read = async (entry) => {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory()) return texts(path, ending);
        return entry.name.endsWith(ending) ? [await readFile(path, "utf8")] : [];
    };
    return (await Promise.all((await readdir(folder, { withFileTypes: true })).map(read))).flat();
}

async function drawn(name) {
    let source;
    try {
        source = await readFile(`${here}node_modules/@tabler/icons/icons/outline/${name}.svg`, "utf8");
    } catch {
        throw new Error(`src/icons.txt names "${name}", which is no outline icon of Tabler (https://tabler.io/icons)`);
    }
    return symbol(name, source);
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

const svg = await icons();
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
await write("icons.svg", svg);
await write("favicon.svg", await readFile(`${here}src/favicon.svg`));
