// The menus of the head of a page are <details>: they also close when one goes elsewhere.

const menus = "details.usermenu[open], details.phonemenu[open]";

document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(menus)) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("focusin", (event) => {
    for (const menu of document.querySelectorAll(menus)) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll(menus)) {
        menu.open = false;
        menu.querySelector("summary").focus();
    }
});
