import { bitFactor, powerLaw, sizeFactor, tokenFactor } from "./power_law.ts";

/** QiD over tokens D, size N and bit width P. Ouyang et al. 2024, arXiv 2411.17691, Eq. 8. */
export const unified = powerLaw({
  name: "unified",
  title: "Unified law",
  source: "Ouyang et al. 2024, arXiv 2411.17691, Eq. 8",
  latex: String.raw`\Delta_q\mathrm{Loss}(N, D, P) = k\, \frac{D^{\beta}}{N^{\alpha} P^{\gamma}}`,
}, [tokenFactor, sizeFactor, bitFactor]);
