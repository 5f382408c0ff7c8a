// A field with a list below it that is gone through by arrows: what is in the list, and what choosing does, is its user's.
window.getsale.combobox = ({ query, ask, choose, leave }) => {
  const popups = new WeakMap();
  const field = target => (target.matches?.(query) ? target : null);
  const options = input => [...popups.get(input).querySelectorAll("[role=option]")];
  const isOpen = input => popups.has(input) && !popups.get(input).hidden;

  const close = input => {
    if (popups.has(input)) popups.get(input).hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const select = (input, option) => {
    for (const one of options(input)) one.setAttribute("aria-selected", String(one === option));
    if (!option) { input.removeAttribute("aria-activedescendant"); return; }
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };
  const show = (input, fill) => {
    const popup = popups.get(input), list = popup.firstChild;
    fill(list);
    const found = options(input);
    found.forEach((option, at) => { option.id = `${list.id}-${at}`; });
    list.hidden = !found.length;
    popup.lastChild.hidden = Boolean(found.length);
    popup.hidden = false;
    input.setAttribute("aria-expanded", String(found.length > 0));
    select(input, found[0]);
  };
  const take = (input, option) => { choose(input, option); close(input); };

  // A field becomes a combobox when it is entered, so that it says nothing about itself that is not so without a script.
  const start = input => {
    if (popups.has(input)) return;
    const popup = document.createElement("div");
    popup.className = "menu chooser-list";
    popup.hidden = true;
    popup.innerHTML = '<div role="listbox"></div><p class="faint text-sm" role="status" hidden></p>';
    const list = popup.firstChild;
    list.id = `${input.id}-list`;
    list.setAttribute("aria-label", document.querySelector(`label[for="${input.id}"]`)?.textContent ?? input.getAttribute("aria-label") ?? "");
    popup.lastChild.textContent = input.parentElement.dataset.none;
    input.parentElement.querySelector(".chooser-list")?.remove(); // of a field that a morph has replaced
    input.parentElement.append(popup);
    const said = { role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": list.id };
    for (const [name, value] of Object.entries(said)) input.setAttribute(name, value);
    popups.set(input, popup);
    popup.addEventListener("pointerdown", event => event.preventDefault()); // the focus stays in the field
    popup.addEventListener("click", event => { const option = event.target.closest("[role=option]"); if (option) take(input, option); });
  };
  document.addEventListener("focusin", event => { const input = field(event.target); if (input) start(input); });
  document.addEventListener("focusout", event => { const input = field(event.target); if (input) { close(input); leave(input); } });
  document.addEventListener("input", event => { const input = field(event.target); if (input) { start(input); ask(input, true); } });
  document.addEventListener("click", event => { const input = field(event.target); if (input && !isOpen(input)) { start(input); ask(input, false); } });
  // Before anybody else hears the key: Escape closes the list, not the form around it.
  document.addEventListener("keydown", event => {
    const input = field(event.target), step = { ArrowDown: 1, ArrowUp: -1 }[event.code];
    if (!input || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!isOpen(input)) {
      if (step) { event.preventDefault(); start(input); ask(input, false); }
      return;
    }
    const found = options(input), at = found.findIndex(one => one.getAttribute("aria-selected") === "true");
    if (step && found.length) { event.preventDefault(); select(input, found[(at + step + found.length) % found.length]); }
    if (event.code === "Escape") { event.preventDefault(); event.stopPropagation(); close(input); }
    if (["Enter", "NumpadEnter"].includes(event.code) && found[at]) { event.preventDefault(); take(input, found[at]); }
  }, true);
  return { show, close };
};
