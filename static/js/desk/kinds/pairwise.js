// Which response is better, on the steps that the campaign offers.
export function mount(form, desk) {
  const steps = () => [...form.querySelectorAll("input[name=choice]")];
  const text = (name) => form.elements[name];

  function choose(key) {
    const radio = steps().find((step) => step.dataset.key === key);
    if (!radio) return false;
    radio.checked = true;
    radio.focus({ preventScroll: true });
    desk.changed();
    return true;
  }

  function chosen() {
    const value = steps().find((step) => step.checked)?.value;
    return value === undefined || Number.isNaN(Number(value)) ? value : Number(value);
  }

  function draft() {
    return { choice: chosen(), reason: text("reason")?.value || undefined };
  }

  return {
    draft,

    read() {
      const answer = draft();
      const lacksReason = text("reason")?.required && !answer.reason?.trim();
      return answer.choice === undefined || lacksReason ? null : answer;
    },

    missing() {
      return chosen() === undefined ? "Choose an answer first." : "This campaign asks for a short reason.";
    },

    fill({ choice, reason = "" }) {
      for (const step of steps()) step.checked = step.value === String(choice);
      if (text("reason") && text("reason").value !== reason) text("reason").value = reason;
    },

    act(name) {
      const step = /^choose([1-7])$/.exec(name)?.[1];
      if (step) return choose(step);
      if (name === "bothBad") return choose("0");
      if (name === "bothGood") return choose("g");
      return false;
    },

    questions() {
      return [form.querySelector("[role=radiogroup]"), text("reason")].filter(Boolean);
    },
  };
}
