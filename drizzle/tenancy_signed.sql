-- The signed tenant context, for servers where set_config cannot be revoked, or wherever TENANT_SIGNING=on.
-- A context is '<account id>.<expiry, seconds since 1970>.<hmac-sha256 of what stands before, in hex>'.
-- Applied after tenancy.sql, whose current_account() it replaces; the policies stay as they are.

-- Each key as its two HMAC pads (RFC 2104), which saves two xor loops a call. Only the owner can read it.
-- Two rows while a key is being rotated.
create table if not exists tenancy.signing_keys (
  id smallint primary key,
  inner_pad bytea not null,
  outer_pad bytea not null
);

-- The pads of every key, in order. It calls itself immutable though it reads a table: so each session reads it once, when it plans
-- current_account(), and keeps it until this function is replaced, as every `npm run db:migrate` does. A session that plans with a snapshot
-- from before would keep a key that is gone; hence the fingerprint, which that command writes into this body.
create or replace function tenancy.signing_pads() returns bytea[]
  language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp
as $$
declare
  pads bytea[];
  fingerprint text;
begin
  select array_agg(pad order by id, place), encode(sha256(string_agg(pad, '' order by id, place)), 'hex') into pads, fingerprint
    from tenancy.signing_keys, lateral (values (1, inner_pad), (2, outer_pad)) as each (place, pad);
  if fingerprint is distinct from 'fingerprint of the keys' then
    raise exception 'the signing keys are being changed' using errcode = 'serialization_failure';
  end if;
  return pads;
end
$$;

create or replace function tenancy.current_account() returns bigint
  language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp
as $$
declare
  context text := current_setting('app.current_tenant', true);
  pads bytea[];
  part text[];
  claim bytea;
begin
  if context is null or context = '' then
    return null;
  end if;
  pads := tenancy.signing_pads();
  part := string_to_array(context, '.');
  claim := convert_to(part[1] || '.' || part[2], 'UTF8');
  if (part[3] in (encode(sha256(pads[2] || sha256(pads[1] || claim)), 'hex'), encode(sha256(pads[4] || sha256(pads[3] || claim)), 'hex'))) is not true then
    raise exception 'the tenant context bears no valid signature' using errcode = 'insufficient_privilege';
  end if;
  if part[2]::bigint < extract(epoch from now()) then
    raise exception 'the tenant context has expired' using errcode = 'insufficient_privilege';
  end if;
  return part[1]::bigint;
end
$$;
