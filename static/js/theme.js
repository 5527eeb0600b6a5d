// Before the first paint, so that a stored choice does not flash.
document.documentElement.classList.add("has-script");
(() => {
  const stored = localStorage.getItem("winnow.theme");
  if (stored) document.documentElement.dataset.theme = stored;
})();
