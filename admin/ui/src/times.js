// Times in the reader's words and zone. The server writes `<time datetime=ISO>` with the exact time in UTC; here it
// becomes "3 min ago", kept true as time passes, with the exact time of the reader's zone on hover.
//
// data-form says which words: "ago" (the default), "for" (how long it has lasted) or "clock" (the time of day).

const STEPS = [
    [60, 1, "s"],
    [3600, 60, "min"],
    [86_400, 3600, "h"],
    [Infinity, 86_400, "d"],
];
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/// A length of time in its largest unit, a day or more in its two largest: "42 s", "3 min", "5 h", "2 d 4 h".
function span(seconds) {
    const [, unit, word] = STEPS.find(([below]) => seconds < below);
    const whole = Math.floor(seconds / unit);
    const hours = Math.floor((seconds % 86_400) / 3600);
    return word === "d" && hours > 0 ? `${whole} d ${hours} h` : `${whole} ${word}`;
}

function words(form, at, now) {
    const seconds = Math.round((now - at) / 1000);
    if (form === "clock") return clock.format(at);
    if (form === "for") return `for ${span(Math.max(seconds, 0))}`;
    if (Math.abs(seconds) < 2) return "just now";
    return seconds > 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
}

function tell(element, now) {
    const at = Date.parse(element.dateTime);
    if (Number.isNaN(at)) return;
    const text = words(element.dataset.form, at, now);
    if (element.textContent !== text) element.textContent = text;
    const title = exact.format(at);
    if (element.title !== title) element.title = title;
}

const all = () => {
    const now = Date.now();
    for (const element of document.querySelectorAll("time[datetime]")) tell(element, now);
};

all();
setInterval(all, 1000);
// What a live update brings in is told in words before it is painted.
new MutationObserver(all).observe(document.body, { childList: true, subtree: true, characterData: true, attributeFilter: ["datetime"] });
