// Drives a server with the typescript-fetch client that openapi-generator wrote.
import assert from "node:assert/strict";
import { AffiliatesApi, Configuration } from "./index";

const affiliates = new AffiliatesApi(
  new Configuration({
    basePath: process.env.TRUNKLINE_URL!,
    apiKey: (name) => (name === "Authorization" ? process.env.TRUNKLINE_TOKEN! : ""),
  }),
);

async function drive(): Promise<void> {
  const network = { version: "2023-10-09", networkId: 1 };
  const affiliate = "typescript-fetch";

  const created = await affiliates.createAffiliate({
    ...network,
    affiliateRequest: { idFromNetwork: affiliate, name: "Fetch", status: "Suspended" },
  });
  await affiliates.putAffiliate({ ...network, affiliate, affiliateRequest: { name: "Fetch 2" } });
  const read = await affiliates.getAffiliate({ ...network, affiliate });
  assert.equal(read.id, created.id);
  assert.equal(read.name, "Fetch 2");
  assert.equal(read.status, "Suspended");
}

drive().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
