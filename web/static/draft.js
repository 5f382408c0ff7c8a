// The card: editors open in place, Ctrl Enter keeps, Esc goes back, an unchecked value keeps A from sending.
(() => {
  const card = () => document.querySelector("[data-draft]");
  const views = () => [...(card()?.querySelectorAll("[data-view]") ?? [])];
  const actions = () => document.querySelectorAll("[data-draft] [data-actions], .dock");
  const show = view => {
    if (!card()) return;
    views().forEach(part => { part.hidden = part.dataset.view !== view && !(part.dataset.view === "text" && view !== "edit"); });
    actions().forEach(part => { part.hidden = view !== "text"; });
    card().toggleAttribute("data-editing", view !== "text");
    if (view === "text") { card().querySelector(".draft-title")?.focus(); return; }
    const field = card().querySelector(`[data-view="${view}"] :is(textarea,input:not([type=hidden]),button)`);
    field?.focus();
    if (field?.tagName === "TEXTAREA" && view === "edit") field.setSelectionRange(field.value.length, field.value.length);
    field?.scrollIntoView({ block: "nearest" });
  };
  const write = () => {
    const composer = document.querySelector("[data-composer]");
    composer?.classList.add("is-open");
    composer?.querySelector("textarea")?.focus();
  };

  document.addEventListener("click", event => {
    const verb = event.target.closest("[data-verb]")?.dataset.verb;
    if (!verb) return;
    if (verb === "approve") {
      const check = card()?.hasAttribute("data-unchecked") && card().querySelector("[data-check]");
      if (check) { event.preventDefault(); check.focus(); check.scrollIntoView({ block: "nearest" }); }
    } else if (verb === "write") {
      event.preventDefault();
      write();
    } else if (["edit", "feedback", "snooze", "reject", "text"].includes(verb) && card()) {
      event.preventDefault();
      event.target.closest("details")?.removeAttribute("open");
      show(verb);
    }
  });
  document.addEventListener("keydown", event => {
    const form = event.target.closest?.("form");
    if (event.code === "Escape" && card()?.hasAttribute("data-editing")) { event.preventDefault(); show("text"); return; }
    if (event.code === "Escape" && event.target.closest?.("[data-composer]")) { event.target.blur(); document.querySelector(".thread")?.focus(); return; }
    if (!form || !(event.ctrlKey || event.metaKey) || event.code !== "Enter") return;
    if (!form.matches("[data-composer], [data-decision]")) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("[data-keep]") ?? undefined);
  });
})();
