// Rows of a table are chosen: Shift takes a range, X the row in hand, Shift+J and Shift+K go on; what scrolls away stays chosen.
(() => {
  const form = document.getElementById("chosen");
  if (!form) return;
  const boxes = () => [...document.querySelectorAll("[data-pick]")];
  const every = form.querySelector("[data-every]");
  const whole = document.querySelector("[data-pick-all]");
  const chosen = new Set(boxes().filter(box => box.checked).map(box => box.value));
  let last = null;

  const show = () => {
    const here = boxes();
    for (const box of here) {
      box.checked = every.checked || chosen.has(box.value);
      box.closest("tr").classList.toggle("is-selected", box.checked);
    }
    const count = form.querySelector("[data-count]");
    count.textContent = every.checked ? count.dataset.whole : count.dataset.some.replace("{}", chosen.size);
    form.classList.toggle("is-open", every.checked || chosen.size > 0);
    if (!whole) return;
    const picked = here.filter(box => box.checked).length;
    whole.checked = picked > 0 && picked === here.length;
    whole.indeterminate = picked > 0 && picked < here.length;
  };
  const set = (box, on) => { if (on) chosen.add(box.value); else chosen.delete(box.value); every.checked = false; };
  const range = (from, to, on) => {
    const all = boxes(), ends = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
    (ends[0] < 0 ? [to] : all.slice(ends[0], ends[1] + 1)).forEach(box => set(box, on));
  };
  const clear = () => { chosen.clear(); every.checked = false; last = null; show(); };

  document.addEventListener("click", event => {
    const box = event.target.closest("[data-pick]");
    if (!box) return;
    if (every.checked) boxes().forEach(one => chosen.add(one.value)); // all of them but this one: those that are here
    if (event.shiftKey && last) range(last, box, box.checked); else set(box, box.checked);
    last = box;
    show();
  });
  whole?.addEventListener("change", () => { const on = whole.checked; boxes().forEach(box => set(box, on)); show(); });
  every.addEventListener("change", show);
  form.addEventListener("reset", () => setTimeout(clear));
  // Rows come back from far away, arrive, or are drawn anew.
  for (const name of ["htmx:afterSettle", "getsale:rows"]) document.addEventListener(name, show);
  addEventListener("pageshow", show);

  form.addEventListener("submit", () => {
    form.querySelectorAll("[data-away]").forEach(input => input.remove());
    if (every.checked) return;
    const here = new Set(boxes().map(box => box.value));
    for (const id of chosen) {
      if (here.has(id)) continue;
      const input = Object.assign(document.createElement("input"), { type: "hidden", name: "id", value: id });
      input.dataset.away = "";
      form.append(input);
    }
  });

  const rowOf = node => node?.closest?.("tr")?.querySelector("[data-pick]");
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("dialog, textarea, select, input:not([data-pick])")) return;
    const box = rowOf(document.activeElement);
    if (event.code === "Escape" && (chosen.size || every.checked)) { clear(); return; }
    if (!box) return;
    if (event.code === "KeyX" && !event.shiftKey) { event.preventDefault(); set(box, !box.checked); last = box; show(); }
    if (event.shiftKey && (event.code === "KeyJ" || event.code === "KeyK")) {
      event.preventDefault();
      const all = boxes(), next = all[all.indexOf(box) + (event.code === "KeyJ" ? 1 : -1)];
      set(box, true);
      if (next) { set(next, true); last = next; next.closest("tr").querySelector(".row-link")?.focus(); }
      show();
    }
  });
  show();
})();
