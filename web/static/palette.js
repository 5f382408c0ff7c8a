// Find or do: the page's own verbs, places, the rows of the list, and a search over everybody.
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector(".palette-input");
  const list = dialog.querySelector(".palette-list");
  const search = dialog.querySelector("[data-search]");
  // What was typed in the other layout is understood too: "ghbdtn" is "привет".
  const LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.";
  const CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбю";
  const swapped = text => [...text.toLowerCase()].map(letter => CYRILLIC[LATIN.indexOf(letter)] ?? LATIN[CYRILLIC.indexOf(letter)] ?? letter).join("");

  const people = () => [...document.querySelectorAll("[data-rows] .row")].map(row => {
    const item = document.createElement("a");
    item.className = "menu-item";
    item.href = row.href;
    item.role = "option";
    item.tabIndex = -1;
    item.dataset.person = "";
    item.textContent = [".row-title", ".row-sub"].map(part => row.querySelector(part)?.textContent ?? "").join("  ");
    return item;
  });
  const shown = () => [...list.querySelectorAll(".menu-item")].filter(item => !item.hidden);
  const select = item => {
    list.querySelectorAll(".is-selected").forEach(other => { other.classList.remove("is-selected"); other.setAttribute("aria-selected", "false"); });
    item?.classList.add("is-selected");
    item?.setAttribute("aria-selected", "true");
    item?.scrollIntoView({ block: "nearest" });
  };
  const filter = () => {
    const text = input.value.trim().toLowerCase();
    const other = swapped(text);
    list.querySelectorAll(".menu-item:not([data-search])").forEach(item => {
      const words = item.textContent.toLowerCase();
      const possible = !item.dataset.run || [...document.querySelectorAll(`[data-verb="${item.dataset.run}"]`)].some(getsale.visible);
      item.hidden = !possible || !(text ? words.includes(text) || words.includes(other) : !("person" in item.dataset));
    });
    search.hidden = !text;
    search.elements.q.value = input.value.trim();
    const words = search.querySelector("[data-pattern]");
    words.textContent = words.dataset.pattern.replace("{}", input.value.trim());
    select(shown()[0]);
  };
  const run = item => {
    if (!item) return;
    if (item === search) { search.submit(); return; }
    dialog.close();
    if (item.dataset.run) getsale.press(item.dataset.run); else location.assign(item.href);
  };

  new MutationObserver(() => {
    if (!dialog.open) return;
    list.querySelectorAll("[data-person]").forEach(item => item.remove());
    search.before(...people());
    input.value = "";
    filter();
  }).observe(dialog, { attributeFilter: ["open"] });
  input.addEventListener("input", filter);
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); else if (event.target.closest(".menu-item")) { event.preventDefault(); run(event.target.closest(".menu-item")); } });
  dialog.addEventListener("keydown", event => {
    const items = shown();
    const at = items.findIndex(item => item.classList.contains("is-selected"));
    if (event.code === "ArrowDown" || event.code === "ArrowUp") { event.preventDefault(); select(items[(at + (event.code === "ArrowDown" ? 1 : -1) + items.length) % items.length]); }
    if (event.code === "Enter") { event.preventDefault(); run(items[at]); }
  });
})();
