// What is typed in one form of a record stays when the answer to another one, or somebody's change, draws the page anew.
(() => {
  let kept = [];
  const card = () => document.getElementById("card");
  const twins = action => [...card().querySelectorAll("form")].filter(form => form.getAttribute("action") === action);
  // A select that marks no option shows its first: nobody chose that.
  const isChosen = select => {
    const marked = [...select.options].some(option => option.defaultSelected);
    return [...select.options].some(option => option.selected && !(marked || select.multiple ? option.defaultSelected : option.index === 0));
  };
  const isTyped = one => {
    if (one.type === "hidden" || one.type === "submit" || !one.name) return false;
    if (one.type === "checkbox" || one.type === "radio") return one.checked !== one.defaultChecked;
    return one.options ? isChosen(one) : one.value !== one.defaultValue;
  };
  const note = form => ({
    // an open field is a form that only this page has; the others come again with the answer
    place: form.matches("[data-field]") ? form.id : "",
    html: form.outerHTML,
    action: form.getAttribute("action"),
    nth: twins(form.getAttribute("action")).indexOf(form),
    inHand: [...form.elements].indexOf(document.activeElement),
    values: [...form.elements].map(one => [one.name, one.value, one.checked]),
  });
  const find = one => {
    if (!one.place) return twins(one.action)[one.nth];
    const there = document.getElementById(one.place);
    if (there && !there.matches("form")) {
      there.outerHTML = one.html;
      htmx.process(document.getElementById(one.place));
    }
    return document.getElementById(one.place);
  };
  const give = one => {
    const form = find(one);
    if (!form || form.elements.length !== one.values.length) return;
    one.values.forEach(([name, value, isChecked], at) => {
      const input = form.elements[at];
      if (input.name !== name || input.type === "hidden") return;
      if (input.type !== "checkbox" && input.type !== "radio") input.value = value;
      input.checked = isChecked;
    });
    const folded = form.closest("details");
    if (folded) folded.open = true;
    form.elements[one.inHand]?.focus();
  };

  document.addEventListener("htmx:beforeSwap", event => {
    if (event.detail.target?.id !== "card" || !event.detail.shouldSwap) return;
    const own = event.detail.requestConfig.elt.closest?.("form");
    kept = [...card().querySelectorAll("form")].filter(form => form !== own && [...form.elements].some(isTyped)).map(note);
  });
  document.addEventListener("htmx:afterSettle", event => {
    if (event.detail.target?.id !== "card" && event.detail.elt?.id !== "card") return;
    kept.forEach(give);
    kept = [];
  });
})();
