// What to do when a log is followed no more: a plain function of why, and of what the page knows.

const AGAIN = [2_000, 5_000, 10_000, 30_000];

/// `why` is one of `{code, detail}` (the server ended it), `{status, detail, after}` (it was refused) and `{}` (the line is
/// lost). `runs` is whether the page shows the node as running; undefined if it does not show it. `tries` in vain so far.
///
/// The answer: `text` for the reader; `wait`, in milliseconds, if it is tried again by itself; `node` if it goes on once
/// the node runs; `signedOut` if she has to sign in first.
export function next(node, why, runs, tries) {
    const { code, status, detail, after } = why;
    if (code === "signed-out" || status === 401) return { text: "You are signed out.", signedOut: true };
    if (code === "node-ended") return ofNode(`${node} has ended.`, runs, tries);
    if (status === 409) return ofNode(`Not followed: ${sentence(detail)}`, runs ?? true, tries);
    const text = code || status ? `Not followed: ${sentence(detail)}` : "The connection is lost.";
    // What she asks for is wrong or not hers: it will not be right in a minute.
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { text };
    if (code === "role-changed") return { text, wait: 0 };
    return later(text, after === undefined ? wait(tries) : after * 1000);
}

function ofNode(text, runs, tries) {
    // The page shows it a moment later than the log; or the node is up again already.
    if (runs) return { ...later(text, wait(tries)), node: true };
    return { text: runs === undefined ? text : `${text} This goes on when it runs.`, node: true };
}

function later(text, wait) {
    return { text: `${text} Trying again in ${Math.round(wait / 1000)} s.`, wait };
}

function wait(tries) {
    return AGAIN[Math.min(tries, AGAIN.length - 1)];
}

function sentence(words) {
    return /[.!?…]$/.test(words) ? words : `${words}.`;
}
