// Fields for a date and time (`moment` in lists.html). The server writes and reads UTC, and says so at the field; here the
// field tells the reader's own time, and the form sends the moment that she meant.
import { here, moment } from "./zones.js";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

for (const field of document.querySelectorAll("input[type=datetime-local]")) {
    field.value = here(field.value);
    const told = field.closest(".moment")?.querySelector("[data-zone]");
    if (told) told.textContent = `(${zone})`;
    field.form?.addEventListener("formdata", ({ formData }) => formData.set(field.name, moment(field.value)));
}
