CREATE TABLE "accounts" (
	"account_id" bigint NOT NULL,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"status" text DEFAULT 'active' NOT NULL,
	CONSTRAINT "accounts_pk" PRIMARY KEY("account_id"),
	CONSTRAINT "accounts_account_id_safe" CHECK ("accounts"."account_id" between 1 and 9007199254740991),
	CONSTRAINT "accounts_name_length" CHECK (char_length("accounts"."name") between 1 and 500),
	CONSTRAINT "accounts_status_known" CHECK ("accounts"."status" in ('active', 'suspended'))
);
--> statement-breakpoint
ALTER TABLE "accounts" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "directory" (
	"host" text PRIMARY KEY NOT NULL,
	"account_id" bigint NOT NULL,
	"is_primary" boolean DEFAULT true NOT NULL,
	CONSTRAINT "directory_host_lower" CHECK ("directory"."host" = lower("directory"."host"))
);
--> statement-breakpoint
CREATE TABLE "projects" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"name" text NOT NULL,
	"details" text DEFAULT '' NOT NULL,
	CONSTRAINT "projects_pk" PRIMARY KEY("account_id","id"),
	CONSTRAINT "projects_name_length" CHECK (char_length("projects"."name") between 1 and 500)
);
--> statement-breakpoint
ALTER TABLE "projects" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "subtasks" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"task_id" uuid NOT NULL,
	"name" text NOT NULL,
	"is_complete" boolean DEFAULT false NOT NULL,
	"details" text DEFAULT '' NOT NULL,
	CONSTRAINT "subtasks_pk" PRIMARY KEY("account_id","id"),
	CONSTRAINT "subtasks_name_length" CHECK (char_length("subtasks"."name") between 1 and 500)
);
--> statement-breakpoint
ALTER TABLE "subtasks" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "tasks" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"project_id" uuid NOT NULL,
	"name" text NOT NULL,
	"is_complete" boolean DEFAULT false NOT NULL,
	"details" text DEFAULT '' NOT NULL,
	CONSTRAINT "tasks_pk" PRIMARY KEY("account_id","id"),
	CONSTRAINT "tasks_name_length" CHECK (char_length("tasks"."name") between 1 and 500)
);
--> statement-breakpoint
ALTER TABLE "tasks" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE TABLE "users" (
	"account_id" bigint NOT NULL,
	"id" uuid NOT NULL,
	"email" text NOT NULL,
	"first_name" text NOT NULL,
	"last_name" text NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"date_joined" timestamp with time zone DEFAULT now() NOT NULL,
	"password_hash" text NOT NULL,
	CONSTRAINT "users_pk" PRIMARY KEY("account_id","id"),
	CONSTRAINT "users_email_key" UNIQUE("account_id","email"),
	CONSTRAINT "users_email_lower" CHECK ("users"."email" = lower("users"."email"))
);
--> statement-breakpoint
ALTER TABLE "users" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "projects" ADD CONSTRAINT "projects_account_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("account_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "subtasks" ADD CONSTRAINT "subtasks_task_id_fk" FOREIGN KEY ("account_id","task_id") REFERENCES "public"."tasks"("account_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_project_id_fk" FOREIGN KEY ("account_id","project_id") REFERENCES "public"."projects"("account_id","id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_account_fk" FOREIGN KEY ("account_id") REFERENCES "public"."accounts"("account_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "directory_account_idx" ON "directory" USING btree ("account_id");--> statement-breakpoint
CREATE INDEX "subtasks_task_id_idx" ON "subtasks" USING btree ("account_id","task_id");--> statement-breakpoint
CREATE INDEX "subtasks_listing_idx" ON "subtasks" USING btree ("account_id","name","id");--> statement-breakpoint
CREATE INDEX "tasks_project_id_idx" ON "tasks" USING btree ("account_id","project_id");--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "accounts" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "accounts" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "directory_lookup" ON "accounts" AS PERMISSIVE FOR SELECT TO "rowhouse_owner" USING (true);--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "projects" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "projects" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "subtasks" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "subtasks" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "tasks" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "tasks" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "tenant_isolation" ON "users" AS RESTRICTIVE FOR ALL TO "rowhouse_app" USING (account_id = tenancy.current_account()) WITH CHECK (account_id = tenancy.current_account());--> statement-breakpoint
CREATE POLICY "tenant_access" ON "users" AS PERMISSIVE FOR ALL TO "rowhouse_app" USING (true) WITH CHECK (true);