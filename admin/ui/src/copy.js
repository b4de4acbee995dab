// Buttons that copy a text: data-copy holds it, or data-copy-from the id of the element whose text it is. Without scripts
// they could do nothing, so the styles show them only below this class.
document.documentElement.classList.add("scripts");

document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button[data-copy], button[data-copy-from]");
    if (!button) return;
    const { copy, copyFrom } = button.dataset;
    const done = await put(copy ?? document.getElementById(copyFrom)?.textContent ?? "");
    const said = document.getElementById("said");
    if (said) said.textContent = done ? "Copied" : "The browser did not allow to copy";
    if (!done) return;
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
});

/// Whether the text is on the clipboard now. The clipboard proper needs HTTPS or this machine; the old way does not.
async function put(text) {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        const field = Object.assign(document.createElement("textarea"), { value: text, readOnly: true });
        field.className = "visually-hidden";
        document.body.append(field);
        field.select();
        const done = document.execCommand("copy");
        field.remove();
        return done;
    }
}
