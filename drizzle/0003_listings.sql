DROP INDEX "subtasks_listing_idx";--> statement-breakpoint
CREATE INDEX "projects_listing_idx" ON "projects" USING btree ("account_id","name","id");--> statement-breakpoint
CREATE INDEX "tasks_listing_idx" ON "tasks" USING btree ("account_id","name","id","is_complete");--> statement-breakpoint
CREATE INDEX "subtasks_listing_idx" ON "subtasks" USING btree ("account_id","name","id","is_complete");