// The way back for whoever is signed out, by way of signing in.

export function signInAgain() {
    const link = document.createElement("a");
    link.href = `/login?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = "Sign in again";
    return link;
}
