// Fields that are chosen by typing: another record, which the server looks for, or one of a long list that is in the page.
// Without this script they are a plain field, in which a name is typed, and a plain list.
(() => {
  const PAUSE = 120; // milliseconds between the last key and the question
  let waiting, asked;
  const list = input => input.parentElement.querySelector("select");
  const forget = input => input.parentElement.querySelectorAll("[data-picked]").forEach(one => one.remove());

  const find = async input => {
    asked?.abort();
    asked = new AbortController();
    try {
      const question = new URLSearchParams({ kind: input.dataset.picker, q: input.value.trim() });
      const answer = await fetch(`/search/records?${question}`, { signal: asked.signal, headers: { "HX-Request": "true" } });
      if (!answer.ok || answer.headers.has("HX-Redirect")) return;
      const html = await answer.text();
      if (document.activeElement === input) box.show(input, shown => { shown.innerHTML = html; });
    } catch (err) {
      if (err.name !== "AbortError") box.close(input);
    }
  };
  // One of several stands before the field as a box that is ticked; the field is free for the next one.
  const add = (input, option) => {
    const chip = Object.assign(document.createElement("label"), { className: "chip" });
    chip.append(Object.assign(document.createElement("input"), { className: "check", type: "checkbox", name: input.name, value: option.dataset.id, checked: true }), option.dataset.name);
    input.parentElement.before(chip);
    input.value = "";
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const narrow = (input, isTyped) => {
    const typed = isTyped ? input.value.trim().toLowerCase() : "";
    box.show(input, shown => shown.replaceChildren(...[...list(input).options].filter(one => one.text.toLowerCase().includes(typed)).map(one => {
      const option = Object.assign(document.createElement("div"), { className: "menu-item", textContent: one.text });
      option.setAttribute("role", "option");
      Object.assign(option.dataset, { id: one.value, name: one.text });
      return option;
    })));
  };
  const box = getsale.combobox({
    query: ".chooser > input:not([type=hidden])",
    ask: (input, isTyped) => {
      clearTimeout(waiting);
      if (list(input)) { narrow(input, isTyped); return; }
      if (isTyped) forget(input);
      waiting = setTimeout(find, isTyped ? PAUSE : 0, input);
    },
    choose: (input, option) => {
      if ("many" in input.dataset) { add(input, option); return; }
      input.value = option.dataset.name;
      forget(input);
      if (list(input)) list(input).value = option.dataset.id;
      else {
        // the id goes along behind the name, for there may be several of that name
        const picked = Object.assign(document.createElement("input"), { type: "hidden", name: input.name, value: option.dataset.id });
        picked.dataset.picked = "";
        input.after(picked);
      }
      (list(input) ?? input).dispatchEvent(new Event("change", { bubbles: true }));
    },
    leave: input => { if (list(input)) input.value = list(input).selectedOptions[0]?.text ?? ""; },
  });

  const replaceLists = () => {
    for (const one of document.querySelectorAll(".chooser > select:not([hidden])")) {
      const input = Object.assign(document.createElement("input"), { className: "input", value: one.selectedOptions[0]?.text ?? "", id: one.id });
      for (const name of ["aria-invalid", "aria-describedby"]) if (one.hasAttribute(name)) input.setAttribute(name, one.getAttribute(name));
      const isInHand = document.activeElement === one || one.autofocus;
      one.removeAttribute("id");
      one.hidden = true;
      one.before(input);
      if (isInHand) input.select();
    }
  };
  document.addEventListener("htmx:afterSettle", replaceLists);
  replaceLists();
})();
