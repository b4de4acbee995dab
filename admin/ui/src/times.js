// Times in the reader's words and zone. The server writes `<time datetime=ISO>` with the exact time in UTC; here it
// becomes "3 min ago", kept true as time passes, with the exact time of the reader's zone on hover.
//
// data-form says which words: none for how long ago, "for" for how long it has lasted, "due" for what is to come, "clock" for the time of day, "day" for the day.
import { words } from "./words.js";

const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const parts = {
    clock: new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }),
    day: new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" }),
};

function tell(element, now) {
    const at = Date.parse(element.dateTime);
    if (Number.isNaN(at)) return;
    const { form } = element.dataset;
    const text = parts[form]?.format(at) ?? words(form, at, now);
    if (element.textContent !== text) element.textContent = text;
    const title = exact.format(at);
    if (element.title !== title) element.title = title;
}

function tellAll() {
    const now = Date.now();
    for (const element of document.querySelectorAll("time[datetime]")) tell(element, now);
}

tellAll();
setInterval(tellAll, 1000);
// What a live update brings in is told in words before it is painted.
const changes = { childList: true, subtree: true, characterData: true, attributeFilter: ["datetime"] };
new MutationObserver(tellAll).observe(document.body, changes);
