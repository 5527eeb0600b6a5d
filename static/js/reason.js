// The reason is typed once and kept for the next decision of this tab.
const KEPT = "winnow.reason";

export function keepReason(root) {
  const field = root.querySelector("[name=reason]");
  if (!field) return;
  field.value ||= sessionStorage.getItem(KEPT) ?? "";
  field.addEventListener("input", () => sessionStorage.setItem(KEPT, field.value));
}
