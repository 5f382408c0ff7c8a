// Find or do: the server finds records, pages and actions while one types; a combobox, so that the focus stays in the box.
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("[role=combobox]");
  const list = dialog.querySelector("[role=listbox]");
  const status = dialog.querySelector("[role=status]");
  const preference = dialog.querySelector("form");
  // Kinds and ids only, by member: what they say is asked for anew, so that nobody reads what they may no longer read.
  const store = `getsale.recent.${dialog.dataset.of}`;
  const remembered = () => { try { return JSON.parse(localStorage.getItem(store)) ?? []; } catch { return []; } };
  const remember = key => { try { localStorage.setItem(store, JSON.stringify([key, ...remembered().filter(other => other !== key)].slice(0, 6))); } catch { /* a browser that keeps nothing */ } };
  let asked, waiting, answered;

  const shown = () => [...list.querySelectorAll("[role=option]")].filter(option => !option.hidden);
  const select = option => {
    list.querySelectorAll("[aria-selected=true]").forEach(other => other.setAttribute("aria-selected", "false"));
    if (!option) { input.removeAttribute("aria-activedescendant"); return; }
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };
  const say = count => { status.textContent = count ? (count === 1 ? status.dataset.one : status.dataset.many.replace("{}", count)) : status.dataset.none; };
  const show = html => {
    list.innerHTML = html;
    // What is done to a draft needs one on the page.
    list.querySelectorAll("[data-run]").forEach(option => { option.hidden = ![...document.querySelectorAll(`[data-verb="${option.dataset.run}"]`)].some(getsale.visible); });
    list.querySelectorAll("[role=group]").forEach(group => { group.hidden = ![...group.querySelectorAll("[role=option]")].some(option => !option.hidden); });
    input.setAttribute("aria-expanded", String(shown().length > 0));
    select(shown()[0]);
    say(shown().length);
  };
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    const typed = input.value;
    const question = new URLSearchParams({ q: typed.trim(), recent: remembered().join(",") });
    try {
      const answer = await fetch(`/search/palette?${question}`, { signal: asked.signal, headers: { "HX-Request": "true" } });
      if (answer.headers.has("HX-Redirect")) { location.assign(answer.headers.get("HX-Redirect")); return; }
      if (!answer.ok) throw new Error(answer.status);
      show(await answer.text());
      answered = typed;
    } catch (err) {
      if (err.name !== "AbortError") status.textContent = status.dataset.failed;
    }
  };
  const run = (option, apart) => {
    if (!option) return;
    if (option.dataset.record) remember(option.dataset.record);
    if (apart && option.href) { window.open(option.href, "_blank", "noopener"); return; }
    dialog.close();
    if (option.dataset.run) { getsale.press(option.dataset.run); return; }
    if (option.dataset.preference) {
      const chosen = preference.querySelector("[data-chosen]");
      chosen.name = option.dataset.preference;
      chosen.value = option.dataset.value;
      preference.submit();
      return;
    }
    location.assign(option.href);
  };

  new MutationObserver(() => { if (dialog.open) { input.value = ""; answered = undefined; ask(); } }).observe(dialog, { attributeFilter: ["open"] });
  input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 60); });
  dialog.addEventListener("click", event => {
    const option = event.target.closest("[role=option]");
    if (event.target === dialog) dialog.close();
    else if (option) { event.preventDefault(); run(option, event.ctrlKey || event.metaKey); }
  });
  dialog.addEventListener("keydown", async event => {
    const options = shown();
    const at = options.findIndex(option => option.getAttribute("aria-selected") === "true");
    const to = { ArrowDown: (at + 1) % options.length, ArrowUp: (at - 1 + options.length) % options.length, PageDown: Math.min(at + 6, options.length - 1), PageUp: Math.max(at - 6, 0) }[event.code];
    if (to !== undefined) { event.preventDefault(); select(options[to]); }
    if (event.code === "Enter" || event.code === "NumpadEnter") {
      event.preventDefault();
      const apart = event.ctrlKey || event.metaKey;
      clearTimeout(waiting);
      if (answered !== input.value) await ask();  // what was typed last counts, however fast Enter came
      run(list.querySelector("[aria-selected=true]"), apart);
    }
  });
  document.addEventListener("click", event => {
    const record = event.target.closest("a[data-record]");
    if (record && !dialog.contains(record)) remember(record.dataset.record);
  });
})();
