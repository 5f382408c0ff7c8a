// Keys by event.code: the same places in every layout. Off while typing; G waits for a second key.
(() => {
  const $ = query => document.querySelector(query);
  const visible = node => node && node.getClientRects().length > 0;
  const typing = target => target.closest("input,textarea,select,[contenteditable],dialog[open]");
  let going = 0;

  const press = verb => {
    const button = [...document.querySelectorAll(`[data-verb="${verb}"]`)].find(visible);
    button?.click();
    return Boolean(button);
  };
  const move = step => {
    const rows = [...document.querySelectorAll("[data-rows] :is(.row, .row-link, [data-row])")];
    const focused = rows.indexOf(document.activeElement);
    const at = focused >= 0 ? focused : rows.findIndex(row => row.getAttribute("aria-current"));
    const to = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    if (!to) return;
    to.focus();
    to.scrollIntoView({ block: "nearest" });
    if (visible($(".pane.main"))) to.click();
  };
  const open = id => { const dialog = document.getElementById(id); if (dialog && !dialog.open) dialog.showModal(); };
  const focus = query => { const node = $(query); node?.focus(); return node; };
  window.getsale = { press, open, visible };

  const single = {
    KeyJ: () => move(1), KeyK: () => move(-1),
    KeyA: () => press("approve"), KeyE: () => press("edit") || press("edit-field"), KeyF: () => press("feedback"),
    KeyS: () => press("snooze"), KeyR: () => press("reject"), KeyZ: () => press("undo"),
    KeyN: () => press("new") || focus("[data-new]"),
    KeyC: () => press("copilot"),
    KeyW: () => press("write") || focus("[data-composer] textarea"),
    Slash: () => focus("[data-filter]"),
  };
  const places = { KeyI: "/inbox", KeyA: "/approvals", KeyD: "/deals", KeyC: "/contacts", KeyO: "/companies", KeyL: "/leads", KeyK: "/knowledge", KeyS: "/segments", KeyT: "/tasks", KeyM: "/meetings", KeyN: "/notifications" };

  document.addEventListener("keydown", event => {
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyK") { event.preventDefault(); open("palette"); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (event.code === "Slash" && event.shiftKey) { event.preventDefault(); open("keys"); return; }
    if (event.code === "KeyG") { going = Date.now(); return; }
    if (Date.now() - going < 1500 && places[event.code]) { event.preventDefault(); location.assign(places[event.code]); return; }
    going = 0;
    if (event.shiftKey || !single[event.code]) return;
    event.preventDefault();
    single[event.code]();
  });
  document.addEventListener("click", event => {
    const opener = event.target.closest("[data-open]");
    if (opener) open(opener.dataset.open);
    document.querySelectorAll("details.menu-of[open]").forEach(menu => { if (!menu.contains(event.target)) menu.open = false; });
  });
})();
