// Attributes of each response on a scale; the comparison that a campaign may ask for opens once all are rated.
import { Rows } from "../rows.js";

export function mount(form, desk) {
  const rows = new Rows(form, desk);
  return {
    draft: () => ({ ratings: rows.values, ...rows.rest }),

    read() {
      const rest = rows.readRest();
      return rest && { ratings: rows.values, ...rest };
    },

    fill({ ratings, ...rest }) {
      rows.values = ratings;
      rows.fillRest(rest);
    },

    missing: () => rows.missing(),
    act: (name) => rows.act(name),
    questions: () => rows.questions(),
  };
}
