// A form is sent once: its button is dead until the answer is there. What the server does about a second one that comes
// all the same is its own business.

const sent = new WeakSet();

document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (sent.has(form)) {
        event.preventDefault();
        return;
    }
    sent.add(form);
    const buttons = [...form.querySelectorAll("button:not([type=button])"), ...document.querySelectorAll(`button[form="${form.id || "-"}"]`)];
    // Later: a button that is disabled now would not send its own name and value.
    setTimeout(() => {
        form.setAttribute("aria-busy", "true");
        for (const button of buttons) {
            button.setAttribute("aria-disabled", "true");
            if (button === event.submitter) button.classList.add("btn-loading");
        }
    });
});

// Back to a page that the browser kept as it was: its forms may be sent again.
window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[aria-busy]")) {
        sent.delete(form);
        form.removeAttribute("aria-busy");
    }
    for (const button of document.querySelectorAll("button[aria-disabled]")) {
        button.removeAttribute("aria-disabled");
        button.classList.remove("btn-loading");
    }
});
