// The icons of the pages: which are listed, which are used, and one SVG with a symbol for each. Plain functions; build.mjs reads
// and writes.

/// The names of a list, one a line; what begins with # is a comment.
export function listed(text) {
    const lines = text.split("\n").map((line) => line.trim());
    return lines.filter((line) => line && !line.startsWith("#"));
}

// A component's argument (name="plus", icon="box"), what an argument is otherwise (icon: string = "box"), and an address.
const USES = [/<icon name="([^"]+)"/g, /\bicon(?:: string = |=)"([^"]+)"/g, /icons\.svg(?:"\) \}\})?#([a-z0-9-]+)/g];

/// The names that templates and scripts use.
export function used(texts) {
    const names = texts.flatMap((text) => USES.flatMap((use) => [...text.matchAll(use)].map((match) => match[1])));
    return new Set(names);
}

/// What is wrong with a list, a sentence each.
export function faults(list, uses) {
    const names = new Set(list);
    return [
        ...list.filter((name, nth) => list.indexOf(name) !== nth).map((name) => `"${name}" is listed twice`),
        ...[...names].filter((name) => !uses.has(name)).map((name) => `"${name}" is listed, and no template or script uses it`),
        ...[...uses].filter((name) => !names.has(name)).map((name) => `"${name}" is used, and not listed`),
    ];
}

/// One of Tabler's outline icons as a symbol.
export function symbol(name, source) {
    const shapes = source.slice(source.indexOf(">", source.indexOf("<svg")) + 1, source.lastIndexOf("</svg>"));
    const drawn = 'fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"';
    return `<symbol id="${name}" viewBox="0 0 24 24" ${drawn}>${shapes.replace(/\s*\n\s*/g, "")}</symbol>`;
}

/// All symbols in one.
export function sprite(symbols) {
    const notice = "<!-- Tabler Icons, MIT License, Copyright (c) Paweł Kuna -->";
    return `<svg xmlns="http://www.w3.org/2000/svg">${notice}${symbols.join("")}</svg>\n`;
}
