-- What drizzle-kit does not write: FORCE, grants, and the door to the directory. Applied after the generated migrations by every
-- `npm run db:migrate`, in the same transaction, to every table it finds; so a new table cannot be without its walls.

revoke all on schema public, tenancy from public;
grant usage on schema public, tenancy, drizzle to rowhouse_app;
grant select on drizzle.__drizzle_migrations to rowhouse_app; -- a server checks at start that it knows this database
alter default privileges revoke execute on functions from public;

do $$
declare
  relation record;
  append_only text[] := string_to_array(current_setting('rowhouse.append_only'), ','); -- the schema's word: appendOnlyTable()
begin
  for relation in
    select c.oid::regclass as name, c.relname, c.relrowsecurity, c.relforcerowsecurity,
           exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_isolation') as tenanted
      from pg_class c
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
  loop
    execute format('revoke all on %s from public, rowhouse_app', relation.name);
    continue when not relation.tenanted;
    if not relation.relrowsecurity or not relation.relforcerowsecurity then
      execute format('alter table %s enable row level security, force row level security', relation.name);
    end if;
    execute format('grant select, insert on %s to rowhouse_app', relation.name);
    continue when relation.relname = any (append_only);
    execute format('grant update, delete on %s to rowhouse_app', relation.name);
  end loop;
end
$$;

-- The app role's only door to the directory: which accounts do these exact hosts lead to? No row for a host that leads to none. Many
-- at a time, since a call of it costs four times what it looks up.
-- (It reads accounts through the policy directory_lookup, which under the migrator's row_security = off could not even be defined.)
set local row_security = on;
drop function if exists tenancy.resolve(text); -- as it was at first, for one host
create or replace function tenancy.resolve(hosts text[])
  returns table (host text, account_id bigint, slug text, name text, status text)
  language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
  select d.host, a.account_id, a.slug, a.name, a.status
    from public.directory d join public.accounts a on a.account_id = d.account_id
   where d.host = any (resolve.hosts)
$$;

revoke execute on all functions in schema tenancy from public;
grant execute on function tenancy.current_account(), tenancy.enter(text), tenancy.resolve(text[]) to rowhouse_app;
