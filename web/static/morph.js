// A morph must not close what a reader opened: a menu, or the list below a field that the server does not know of.
const OF_A_LIST = ["role", "autocomplete", "aria-autocomplete", "aria-haspopup", "aria-expanded", "aria-controls", "aria-activedescendant"];
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
  !(name === "open" && node.tagName === "DETAILS") && !(node.matches(".chooser > input") && OF_A_LIST.includes(name));
Idiomorph.defaults.callbacks.beforeNodeRemoved = node => !node.classList?.contains("chooser-list");
