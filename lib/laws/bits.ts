import { bitFactor, powerLaw } from "./power_law.ts";

/** QiD falls with the bit width P, at one size and one token count. Ouyang et al. 2024, arXiv 2411.17691, Eq. 7. */
export const bits = powerLaw({
  name: "bits",
  title: "Bit-width law",
  source: "Ouyang et al. 2024, arXiv 2411.17691, Eq. 7",
  latex: String.raw`\Delta_q\mathrm{Loss}(P) = \frac{k}{P^{\gamma}}`,
}, [bitFactor]);
