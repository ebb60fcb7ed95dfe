import { powerLaw, tokenFactor } from "./power_law.ts";

/** QiD grows with the training tokens D, at one size and one bit width. Ouyang et al. 2024, arXiv 2411.17691, Eq. 5. */
export const token = powerLaw({
  name: "token",
  title: "Token law",
  source: "Ouyang et al. 2024, arXiv 2411.17691, Eq. 5",
  latex: String.raw`\Delta_q\mathrm{Loss}(D) = k\, D^{\beta}`,
}, [tokenFactor]);
