// Lists of tasks and meetings: D completes the row that has the focus.
(() => {
  const typing = target => target.closest("input,textarea,select,[contenteditable],dialog");
  const rows = () => [...document.querySelectorAll("[data-rows] .row")];
  let at = -1;

  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || typing(event.target)) return;
    if (event.code !== "KeyD") return;
    const button = document.activeElement?.closest("li")?.querySelector("[data-done]");
    if (!button) return;
    event.preventDefault();
    at = rows().indexOf(document.activeElement);
    button.click();
  });
  // What is done leaves the list: the next one takes the focus, so that D can be pressed again.
  document.addEventListener("htmx:afterSettle", () => {
    if (at < 0) return;
    const left = rows();
    left[Math.min(at, left.length - 1)]?.focus();
    at = -1;
  });
  document.addEventListener("change", event => { if (event.target.matches("[data-submits]")) event.target.form.submit(); });
})();
