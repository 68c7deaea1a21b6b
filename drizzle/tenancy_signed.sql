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

create or replace function tenancy.current_account() returns bigint
  language plpgsql stable parallel safe security definer set search_path = pg_catalog, pg_temp
as $$
declare
  context text := current_setting('app.current_tenant', true);
  part text[];
begin
  if context is null or context = '' then
    return null;
  end if;
  part := string_to_array(context, '.');
  perform from tenancy.signing_keys as key
    where encode(sha256(key.outer_pad || sha256(key.inner_pad || convert_to(part[1] || '.' || part[2], 'UTF8'))), 'hex') = part[3];
  if not found then
    raise exception 'the tenant context bears no valid signature' using errcode = 'insufficient_privilege';
  end if;
  if part[2]::bigint < extract(epoch from now()) then
    raise exception 'the tenant context has expired' using errcode = 'insufficient_privilege';
  end if;
  return part[1]::bigint;
end
$$;
