// A session that was ended elsewhere ends here too: the page is asked for anew, which leads to the door and back.
(() => {
  htmx.createEventSource = url => {
    const source = new EventSource(url, { withCredentials: true });
    source.addEventListener("end", () => { source.close(); location.reload(); });
    return source;
  };
})();
