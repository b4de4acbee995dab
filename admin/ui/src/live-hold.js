// Holds back what is new while the reader would lose something by it: while she presses a button or draws with the
// mouse, so that nothing moves under the pointer, and while she has a text selected. Only for a while: a page that is
// forgotten with a selection in it must not stay behind.

const PRESSED = 5_000;
const SELECTED = 15_000;

let pressed = 0;
let selected = 0;
let waiting;
let timer;

function reasons(live) {
    const selection = document.getSelection();
    const inside = selection && !selection.isCollapsed && selection.anchorNode && live.contains(selection.anchorNode);
    const now = Date.now();
    return Math.max(pressed - now, inside ? selected - now : 0);
}

function release() {
    clearTimeout(timer);
    if (!waiting) return;
    const { live, text } = waiting;
    const left = reasons(live);
    if (left > 0) {
        timer = setTimeout(release, Math.min(left, 250));
        return;
    }
    waiting = undefined;
    window.htmx.swap({ text, sourceElement: live, target: live, swap: "innerMorph" });
}

/// Whether a new text has to wait; it is put in later, or the next one in its place.
export function held(live, text) {
    if (reasons(live) <= 0) {
        waiting = undefined;
        return false;
    }
    waiting = { live, text };
    clearTimeout(timer);
    timer = setTimeout(release, 250);
    return true;
}

document.addEventListener("pointerdown", (event) => {
    if (event.target.closest?.("#live")) pressed = Date.now() + PRESSED;
});
for (const name of ["pointerup", "pointercancel"]) {
    document.addEventListener(name, () => {
        pressed = 0;
    });
}
document.addEventListener("selectionchange", () => {
    selected = Date.now() + SELECTED;
});
