// Holds back what is new while the reader would lose something by it: while she presses a button or draws with the
// mouse, so that nothing moves under the pointer, and while she has a text selected. Only for a while: a page that is
// forgotten with a selection in it must not stay behind. And a list that follows what happens (data-follow) stays as it is
// for as long as she reads further down: a button says that there is more, and leads up to it.

const PRESSED = 5_000;
const SELECTED = 15_000;

/// Further down than this is away from the newest.
const TOP = 200;

let pressed = 0;
let selected = 0;
let waiting;
let timer;

function reads(live) {
    return live.dataset.follow !== undefined && window.scrollY > TOP;
}

/// The button that leads to what is held back.
function offer(live, more) {
    const there = document.getElementById("newer");
    if (!more) there?.remove();
    if (!more || there) return;
    const button = document.createElement("button");
    button.id = "newer";
    button.type = "button";
    button.className = "btn newer";
    button.textContent = `Show newer ${live.dataset.follow}`;
    button.addEventListener("click", () => window.scrollTo({ top: 0 }));
    live.before(button);
}

function reasons(live) {
    if (reads(live)) return Infinity;
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
    offer(live, false);
    window.htmx.swap({ text, sourceElement: live, target: live, swap: "innerMorph" });
}

/// Whether a new text has to wait; it is put in later, or the next one in its place.
export function held(live, text) {
    if (reasons(live) <= 0) {
        waiting = undefined;
        return false;
    }
    waiting = { live, text };
    offer(live, reads(live));
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
window.addEventListener("scroll", () => waiting && release(), { passive: true });
