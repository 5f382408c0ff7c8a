// The theme button: shows the other theme at once, then tells the server, which keeps it. Without a script it is a form.
(() => {
  const root = document.documentElement;
  root.classList.add("has-script");

  document.addEventListener("submit", event => {
    if (!event.target.matches("[data-theme-form]")) return;
    event.preventDefault();
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    const form = new FormData(event.target);
    form.set("theme", root.dataset.theme);
    fetch(event.target.action, { method: "POST", body: new URLSearchParams(form), redirect: "manual" });
  });

  // Toasts pass by; what they say is also visible where it happened.
  new MutationObserver(changes => changes.forEach(change => change.addedNodes.forEach(node => {
    if (node.nodeType === 1 && node.matches("[data-toast]")) setTimeout(() => node.remove(), 10000);
  }))).observe(document.documentElement, { childList: true, subtree: true });
})();
