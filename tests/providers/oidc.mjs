// A real OpenID Connect provider (npm oidc-provider, certified) on loopback.
//   node oidc.mjs '{"clients": [...], "people": {"wang": {"email": ...}}}'
// Prints its address; whoever signs in with a name of `people` gets those claims.
import http from "node:http";
import Provider from "oidc-provider";

const { clients, people } = JSON.parse(process.argv[2]);
const server = http.createServer().listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    claims: {
      openid: ["sub"],
      profile: ["name"],
      email: ["email", "email_verified"],
      affiliation: ["eduperson_scoped_affiliation", "schac_home_organization"],
    },
    scopes: ["openid", "profile", "email", "affiliation"],
    conformIdTokenClaims: true,
    pkce: { required: () => true },
    cookies: { keys: ["for tests only"] },
    findAccount: (context, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, ...people[id] }),
    }),
  });
  server.on("request", provider.callback());
  process.stdout.write(`${issuer}\n`);
});
