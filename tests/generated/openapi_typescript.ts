// Drives a server with the types that openapi-typescript wrote.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const client = createClient<paths>({
  baseUrl: process.env.TRUNKLINE_URL!,
  headers: { Authorization: process.env.TRUNKLINE_TOKEN! },
});
const network = { version: "2023-10-09", network_id: 1 };
const collection = "/api/{version}/{network_id}/affiliates";
const member = "/api/{version}/{network_id}/affiliates/{affiliate}";

const created = await client.POST(collection, {
  params: { path: network },
  body: { id_from_network: "typescript", name: "TypeScript", status: "Suspended" },
});
assert.equal(created.response.status, 201, JSON.stringify(created.error));
const path = { ...network, affiliate: "typescript" };
// An update leaves what it does not name.
const updated = await client.PUT(member, { params: { path }, body: { name: "TypeScript 2" } });
assert.equal(updated.response.status, 200, JSON.stringify(updated.error));
const read = await client.GET(member, { params: { path } });
assert.equal(read.data?.id, created.data?.id);
assert.equal(read.data?.name, "TypeScript 2");
assert.equal(read.data?.status, "Suspended");
